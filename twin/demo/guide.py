"""The city's curved street grid: two potentials whose level lines follow coast and river and cross at right angles."""

from dataclasses import dataclass

import numpy as np

from twin.demo.frame import Frame
from twin.demo.grid import Floats, Grid, blur, noise
from twin.demo.landform import Landform

NEWTON_STEPS = 9


@dataclass(frozen=True)
class Guide:
    """A smooth one-to-one map between places (x, y) and grid coordinates (u, v), all in m and nearly true to scale."""

    grid: Grid
    u: Floats
    v: Floats

    def uv(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Grid coordinates of places."""
        return self.grid.sample(self.u, x, y), self.grid.sample(self.v, x, y)

    def xy(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Places with these grid coordinates (Newton's method; outside the grid the border's map goes on)."""
        ux, uy = self.grid.slope(self.u)
        vx, vy = self.grid.slope(self.v)
        mean = np.array([[ux.mean(), uy.mean()], [vx.mean(), vy.mean()]])
        start = np.linalg.solve(mean, np.stack((u - self.u.mean(), v - self.v.mean())).reshape(2, -1))
        x = start[0].reshape(np.shape(u)) + self.grid.x.mean()
        y = start[1].reshape(np.shape(u)) + self.grid.y.mean()
        for _ in range(NEWTON_STEPS):
            du, dv = u - self._beyond(self.u, x, y, mean[0]), v - self._beyond(self.v, x, y, mean[1])
            a, b = self.grid.sample(ux, x, y), self.grid.sample(uy, x, y)
            c, d = self.grid.sample(vx, x, y), self.grid.sample(vy, x, y)
            determinant = a * d - b * c
            x = x + (d * du - b * dv) / determinant
            y = y + (a * dv - c * du) / determinant
        return x, y

    def _beyond(self, values: Floats, x: Floats, y: Floats, slope: Floats) -> Floats:
        inner_x = np.clip(x, self.grid.x[0], self.grid.x[-1])
        inner_y = np.clip(y, self.grid.y[-1], self.grid.y[0])
        result: Floats = (
            self.grid.sample(values, inner_x, inner_y) + slope[0] * (x - inner_x) + slope[1] * (y - inner_y)
        )
        return result


def guide_streets(frame: Frame, land: Landform, river: Floats) -> Guide:
    """The street grid of this land. river: distance to the river, m, on the land's grid."""
    rng = frame.random("guide")
    grid = frame.grid.coarser(4)
    x, y = grid.mesh()
    base = np.radians(rng.uniform(8, 22)) + 0.12 * noise(grid, 5000 * frame.scale, rng, octaves=2)
    size = np.sqrt(frame.scale)
    cross = 0.25 * np.exp(4j * base)
    for distance, reach in ((np.abs(land.offshore), 1300 * size), (river, 650 * size)):
        smooth = blur(distance, land.grid, 250 * size)
        east, north = land.grid.slope(smooth)
        bearing = np.arctan2(land.grid.sample(north, x, y), land.grid.sample(east, x, y))
        cross += np.exp(-((land.grid.sample(smooth, x, y) / reach) ** 2)) * np.exp(4j * bearing)
    cross = blur(cross.real, grid, 350 * size) + 1j * blur(cross.imag, grid, 350 * size)
    # Directions a quarter turn apart are the same grid: the one nearest to the base is taken, so that u goes on
    # as u all over the city.
    turn = (np.angle(cross * np.exp(-4j * base)) / 4).clip(-0.6, 0.6)
    direction = blur(base + turn, grid, 300 * size)
    u = _potential(grid, np.cos(direction), np.sin(direction))
    v = _potential(grid, -np.sin(direction), np.cos(direction))
    return Guide(grid, u, v)


def _potential(grid: Grid, east: Floats, north: Floats) -> Floats:
    """The field whose slope is nearest to (east, north) in the mean square: Poisson's equation by cosine transform."""
    rows, columns = grid.shape
    # Differences between neighbours, none across the border; rows run south.
    right = np.zeros(grid.shape)
    right[:, :-1] = (east[:, :-1] + east[:, 1:]) / 2 * grid.cell
    down = np.zeros(grid.shape)
    down[:-1] = -(north[:-1] + north[1:]) / 2 * grid.cell
    divergence = right.copy()
    divergence[:, 1:] -= right[:, :-1]
    divergence += down
    divergence[1:] -= down[:-1]
    mirrored = np.block([[divergence, divergence[:, ::-1]], [divergence[::-1], divergence[::-1, ::-1]]])
    spectrum = np.fft.rfft2(mirrored)
    wave_y = 2 * np.cos(2 * np.pi * np.arange(2 * rows) / (2 * rows)) - 2
    wave_x = 2 * np.cos(2 * np.pi * np.arange(columns + 1) / (2 * columns)) - 2
    waves = wave_y[:, None] + wave_x[None, :]
    waves[0, 0] = 1
    spectrum /= waves
    spectrum[0, 0] = 0
    result: Floats = np.fft.irfft2(spectrum, s=mirrored.shape)[:rows, :columns]
    return result

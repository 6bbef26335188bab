"""Coordinates as China has them: shifted, in belts, north first, and in older systems by the operator's parameters."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod, Transformer

from layers import offset
from layers.control import ControlError, read_controls
from layers.formats import CrsUnknown, open_sources
from layers.mapping import CrsContradiction, Ground, SwappedAxes, TransformationUnavailable, mapped, placement
from tests.layers import desk
from tests.layers.sources import part, source

GEOD = Geod(ellps="GRS80")
YUEQING = Ground(srid=4490, metric_srid=4549, extent=(120.8, 27.9, 121.2, 28.5))


def landed(path: Path, ground: Ground = YUEQING, axis: str = "xy", crs: str | None = None) -> list[tuple[float, float]]:
    (found,) = open_sources(path, crs=crs)
    (batch,) = mapped(found, part(axis=axis), ground)
    shapes = shapely.from_wkb(batch.rows.column("geom").to_pylist())
    return [(shape.x, shape.y) for shape in shapes]


def apart(found: list[tuple[float, float]], places: list[tuple[float, float]] = desk.PLACES) -> float:
    """Metres by which the worst of them is off."""
    return max(GEOD.inv(*one, *other)[2] for one, other in zip(found, places, strict=True))


def test_gcj02_is_what_others_publish() -> None:
    """The worked examples of eviltransform's tests: Shanghai, Shenzhen, Beijing, WGS 84 and GCJ-02."""
    for (lat, lon), (lat_shown, lon_shown) in (
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ):
        x, y = offset.to_gcj02(np.array([lon]), np.array([lat]))
        assert GEOD.inv(x[0], y[0], lon_shown, lat_shown)[2] < 0.05


def test_bd09_is_what_baidu_shows() -> None:
    """Tiananmen: 116.404, 39.915 in GCJ-02 is 116.41036949, 39.92133700 in BD-09 (published with coordtransform)."""
    lon, lat = offset.to_wgs84("GCJ-02", np.array([116.404]), np.array([39.915]))
    x, y = offset.to_bd09(lon, lat)
    assert GEOD.inv(x[0], y[0], 116.41036949371029, 39.92133699351021)[2] < 0.05


@pytest.mark.parametrize(("system", "forward"), [("GCJ-02", offset.to_gcj02), ("BD-09", offset.to_bd09)])
def test_shifted_coordinates_come_back(tmp_path: Path, system: str, forward: object) -> None:
    lon, lat = (np.array(values) for values in zip(*desk.PLACES, strict=True))
    x, y = forward(lon, lat)  # type: ignore[operator]
    assert GEOD.inv(x[0], y[0], lon[0], lat[0])[2] > 300
    lines = [f"{a:.9f},{b:.9f}" for a, b in zip(x, y, strict=True)]
    (tmp_path / "a.csv").write_text("经度,纬度\n" + "\n".join(lines))
    assert apart(landed(tmp_path / "a.csv", crs=system)) < 1.0


def test_shifted_coordinates_come_back_everywhere_in_china() -> None:
    lon, lat = (values.ravel() for values in np.meshgrid(np.linspace(75, 134, 60), np.linspace(18, 53, 40)))
    for system, forward in (("GCJ-02", offset.to_gcj02), ("BD-09", offset.to_bd09)):
        x, y = offset.to_wgs84(system, *forward(lon, lat))
        assert GEOD.inv(lon, lat, x, y)[2].max() < 1.0


@pytest.mark.parametrize(("crs", "read_as"), [(4549, 4549), (4528, 4528), (4499, 4499), (4510, 4550)])
def test_belts_are_read_from_the_numbers(tmp_path: Path, crs: int, read_as: int) -> None:
    """4499 is belt 21 of 6 degrees; 4510, without its number, has the meridian of 4550 and so the same numbers."""
    path = desk.write_csv(tmp_path / "a.csv", x="X", y="Y", crs=f"EPSG:{crs}")
    (found,) = open_sources(path)
    place, (said,) = placement(found, part(), YUEQING)
    assert place.srid == read_as
    assert "no CRS stated: its numbers are those of" in said
    assert apart(landed(path)) < 0.01


def test_a_survey_table_with_x_north_must_be_confirmed(tmp_path: Path) -> None:
    path = desk.write_csv(tmp_path / "b.csv", x="Y", y="X", crs="EPSG:4528")
    text = path.read_text().replace("Y,X", "东,北")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    path.write_text("名称,X,Y\n" + "\n".join(f"{name},{north},{east}" for name, _, east, north in rows))
    with pytest.raises(SwappedAxes, match=r"EPSG:4528 .*, X north and Y east, at 120\.97.*confirm that with --axis yx"):
        landed(path)
    assert apart(landed(path, axis="yx")) < 0.01


def test_a_prj_that_contradicts_the_numbers_is_shown_both_readings() -> None:
    x, y = Transformer.from_crs("EPSG:4490", "EPSG:4528", always_xy=True).transform(*desk.PLACES[0])
    with pytest.raises(CrsContradiction) as refused:
        list(mapped(source([shapely.Point(x, y)], crs="EPSG:4549"), part(), YUEQING))
    assert "states EPSG:4549 (CGCS2000 / 3-degree Gauss-Kruger CM 120E)" in str(refused.value)
    assert "numbers of EPSG:4528 (CGCS2000 / 3-degree Gauss-Kruger zone 40), at 120.9621 E, 28.1183 N" in str(
        refused.value
    )


def test_degrees_without_a_name_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(CrsUnknown, match="name it with --crs"):
        landed(desk.write_csv(tmp_path / "a.csv"))


# --- older systems

BEIJING_54 = "EPSG:2437"
SEVEN = {"dx": "15.8", "dy": "-154.4", "dz": "-82.3", "rx": "0.3", "ry": "-0.2", "rz": "0.4", "scale": "1.2"}


def keep(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "control.yaml"
    file.write_text(text)
    file.chmod(mode)
    return folder


def test_an_older_datum_is_refused_without_parameters(tmp_path: Path) -> None:
    assert "Beijing 1954" in CRS.from_user_input(BEIJING_54).name
    path = desk.write_csv(tmp_path / "a.csv", x="X", y="Y", crs="EPSG:4549")
    with pytest.raises(TransformationUnavailable, match=r"control\.yaml"):
        landed(path, crs=BEIJING_54)


def test_seven_parameters_do_what_proj_does(tmp_path: Path) -> None:
    given = "".join(f"      {name}: {value}\n" for name, value in SEVEN.items())
    home = keep(tmp_path, f"- from: {BEIJING_54}\n  to: EPSG:4549\n  seven:\n{given}      rotations: position_vector\n")
    ground = Ground(4490, 4549, YUEQING.extent, controls=read_controls(home))
    helmert = " ".join(
        f"+{name if name[0] == 'r' else name[-1:]}={value}" for name, value in SEVEN.items() if name != "scale"
    )
    way = (
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=120 +k=1 +x_0=500000 +y_0=0 +ellps=krass"
        f" +step +proj=cart +ellps=krass +step +proj=helmert {helmert} +s={SEVEN['scale']} +convention=position_vector"
        " +step +inv +proj=cart +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    path = desk.write_csv(tmp_path / "a.csv", x="X", y="Y", crs="EPSG:4549")
    numbers = [tuple(map(float, line.split(",")[2:])) for line in path.read_text().splitlines()[1:]]
    expected = [Transformer.from_pipeline(way).transform(x, y) for x, y in numbers]
    found = landed(path, ground, crs=BEIJING_54)
    assert apart(found, expected) < 0.001
    assert apart(found) > 20


def test_control_points_of_a_local_system_show_their_residuals(tmp_path: Path) -> None:
    turn, scale = np.radians(1.5), 1.00002
    places = np.column_stack(desk.TO_BELT.transform(*np.array([*desk.PLACES, (121.0, 28.2)]).T))
    local = (places - places[0]) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / scale
    aims = places + np.array([[0.03, 0], [0, -0.03], [-0.03, 0], [0, 0.03]])
    points = "".join(f"    - [{x}, {y}, {u}, {v}]\n" for (x, y), (u, v) in zip(local, aims, strict=True))
    home = keep(tmp_path, f"- from: local:yueqing\n  to: EPSG:4549\n  points:\n{points}")
    ground = Ground(4490, 4549, YUEQING.extent, controls=read_controls(home))
    (tmp_path / "a.csv").write_text("X,Y\n" + "\n".join(f"{x},{y}" for x, y in local[:3]))
    (found,) = open_sources(tmp_path / "a.csv", crs="local:yueqing")
    _, (said,) = placement(found, part(), ground)
    assert "4 control points: residuals 0.0" in said
    assert str(round(places[0][0])) not in said
    assert apart(landed(tmp_path / "a.csv", ground, crs="local:yueqing")) < 0.1
    with pytest.raises(TransformationUnavailable, match="no parameters for local:other"):
        landed(tmp_path / "a.csv", ground, crs="local:other")


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("[]", 0o644, "others may read it; `chmod 600"),
        ("- from: local:a\n  to: EPSG:4549\n  points: [[987654.3, 1, 2, 3]]\n", 0o600, "at least 3 points"),
        ("- from: local:a\n  to: EPSG:4549\n  four: {dx: 987654.3x, dy: 1, rotation: 0, scale: 0}\n", 0o600, "four.dx"),
        ("secret: 987654.3", 0o600, "0|an entry"),
    ],
)
def test_parameters_stay_secret(tmp_path: Path, text: str, mode: int, told: str) -> None:
    with pytest.raises(ControlError, match=told) as refused:
        read_controls(keep(tmp_path, text, mode))
    assert "987654" not in str(refused.value)


def test_four_parameters(tmp_path: Path) -> None:
    home = keep(
        tmp_path, "- {from: 'local:x', to: EPSG:4549, four: {dx: 100, dy: 200, rotation: 3600, scale: 1000000}}\n"
    )
    (control,) = read_controls(home)
    (found,) = control.to_target(np.array([[10.0, 0.0]]))
    assert found == pytest.approx((100 + 20 * np.cos(np.radians(1)), 200 + 20 * np.sin(np.radians(1))))
    assert "100" not in f"{control} {control!r}"

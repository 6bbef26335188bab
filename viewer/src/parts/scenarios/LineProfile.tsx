/** A section along a drawn line at the clock's moment: the water on the ground, of one run or two. */

import type { Position } from 'geojson';
import { getProfile, type Profile } from '../../api/scenarios';
import { number, t } from '../../i18n/text';
import { between } from '../../state/scenarios/frames';
import { groundAlong } from '../../state/scenarios/ground';
import { instant } from '../../state/scenarios/play';
import { otherRaster, raster, shift } from '../../state/scenarios/runs';
import { city } from '../../state/session';
import { view } from '../../state/store';
import { LINES } from '../sensing/SeriesChart';
import { fullTime } from '../sensing/words';
import { useValues } from './Probed';
import { section, type Section } from './section';

const [WIDTH, HEIGHT, LEFT, FOOT] = [328, 200, 40, 22] as const;

export function LineProfile({ line }: { line: readonly Position[] }) {
  const loaded = city.value;
  const layer = raster.value;
  const times = layer?.times ?? [];
  const at = times[between(times.map((time) => Date.parse(time)), instant.value ?? 0).from] ?? null;
  const other = otherRaster.value;
  const { value, failure } = useValues(`${layer?.id} ${other?.id} ${at} ${JSON.stringify(line)}`, async (signal) => {
    if (!loaded || !layer) return null;
    const otherAt = at && new Date(Date.parse(at) + shift.peek()).toISOString();
    const read = [getProfile(loaded.root, layer.id, line, at, signal), ...(other ? [getProfile(loaded.root, other.id, line, otherAt, signal)] : [])];
    const profiles = await Promise.all(read);
    // Values that are no heights of water stand on no ground.
    const terrain = layer.unit === 'm' ? loaded.document.terrain : null;
    const ground = terrain ? await groundAlong(terrain.tilejson, profiles[0]?.coordinates ?? [], signal) : null;
    return { profiles, ground };
  });
  if (failure !== null) return <p class="quiet chart-space">{t('chart.failed', { reason: failure })}</p>;
  if (!value) return <p class="quiet chart-space">{t('chart.reading')}</p>;
  return (
    <>
      <Drawing profiles={value.profiles} ground={value.ground} />
      <p class="quiet">{at !== null && fullTime(Date.parse(at))}</p>
    </>
  );
}

function Drawing({ profiles, ground }: { profiles: readonly Profile[]; ground: readonly (number | null)[] | null }) {
  const drawn = section(profiles, ground);
  const unit = profiles[0]?.unit ?? '';
  const x = (metres: number): number => LEFT + (metres / (drawn.length || 1)) * (WIDTH - LEFT - 6);
  const y = (height: number): number => HEIGHT - FOOT - ((height - drawn.least) / (drawn.most - drawn.least || 1)) * (HEIGHT - FOOT - 10);
  const path = (points: Section['bed']): string => points.map(([away, height], index) => `${index === 0 ? 'M' : 'L'}${x(away).toFixed(1)} ${y(height).toFixed(1)}`).join('');
  const greatest = Math.max(0, ...profiles.flatMap((profile) => profile.values.map((value) => value ?? 0)));
  return (
    <figure class="section">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('probe.section', { length: number(drawn.length, 0), depth: number(greatest, 2), unit })}>
        {drawn.marks.map((mark) => (
          <g key={mark}>
            <line class="section-grid" x1={LEFT} x2={WIDTH - 6} y1={y(mark)} y2={y(mark)} />
            <text x={LEFT - 5} y={y(mark) + 4} text-anchor="end">
              {number(mark, 1)}
            </text>
          </g>
        ))}
        {drawn.waters.map((water, index) => (
          <g key={index}>
            {water.bodies.map((body) => (
              <path key={body.top[0]?.[0]} class="section-water" d={`${path(body.top)}${path([...body.bottom].reverse()).replace('M', 'L')}Z`} />
            ))}
            {water.bodies.map((body) => (
              <path key={body.top[0]?.[0]} class="section-level" stroke={LINES[view.value.style][index]} d={path(body.top)} />
            ))}
          </g>
        ))}
        {drawn.bed.length > 0 && <path class="section-ground" d={`${path(drawn.bed)}L${x(drawn.length)} ${HEIGHT - FOOT}L${LEFT} ${HEIGHT - FOOT}Z`} />}
        <text x={LEFT} y={HEIGHT - 6}>
          0
        </text>
        <text x={WIDTH - 6} y={HEIGHT - 6} text-anchor="end">
          {number(drawn.length, 0)} m
        </text>
        <text x={4} y={10}>
          {unit === '1' ? '' : unit}
        </text>
      </svg>
    </figure>
  );
}

/** What a layer's colours mean. */

import type { LegendEntry } from '../api/documents';
import { pick } from '../i18n/text';
import { field } from '../state/store';

const style = field('style');

export function Legend({ entries }: { entries: readonly LegendEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <ul class="legend">
      {entries.map((entry, index) => (
        <li key={index}>
          <Swatch entry={entry} />
          <span>{pick(entry.label)}</span>
        </li>
      ))}
    </ul>
  );
}

/** A small picture of how the map draws it. */
export function Swatch({ entry }: { entry: LegendEntry }) {
  const { color, outline: edge } = (style.value === 'night' && entry.night) || entry;
  const outline = edge ?? 'none';
  return (
    <svg class="swatch" viewBox="0 0 20 14" aria-hidden="true" focusable="false">
      {entry.kind === 'line' && outline !== 'none' && <path d="M1 7h18" stroke={outline} stroke-width="6" stroke-linecap="round" />}
      {entry.kind === 'line' && <path d="M1 7h18" stroke={color} stroke-width="3.5" stroke-linecap="round" />}
      {entry.kind === 'fill' && <rect x="1" y="1" width="18" height="12" rx="3" fill={color} stroke={outline} />}
      {(entry.kind === 'circle' || entry.kind === 'icon') && (
        <circle cx="10" cy="7" r="5" fill={color} stroke={outline} stroke-width="1.5" />
      )}
    </svg>
  );
}

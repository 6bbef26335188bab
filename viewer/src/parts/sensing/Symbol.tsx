/** A sensor's or an event's symbol as the map draws it, for lists and legends. */

import type { Severity } from '../../api/sensing';
import { GRADES, type Look } from '../../state/sensing/states';
import { glyph } from './glyphs';

export function SensorSymbol({ kind, look }: { kind: string; look: Look }) {
  const isHollow = look === 'silent' || look === 'unknown';
  const calls = !isHollow && look !== 'ok';
  return (
    <svg class={`symbol is-${look} of-${kind}`} viewBox="0 0 28 28" aria-hidden="true" focusable="false">
      {calls ? <rect x="2" y="2" width="24" height="24" rx="7" /> : <circle cx="14" cy="14" r="12" />}
      <path d={glyph(kind)} transform="translate(4 4)" />
    </svg>
  );
}

/** A grade's colour and its numeral. */
export function Grade({ severity }: { severity: Severity }) {
  return (
    <span class={`grade is-${severity}`} aria-hidden="true">
      {GRADES[severity]}
    </span>
  );
}

/** What a look means, without a kind. */
export function LookMark({ look }: { look: Look }) {
  if (look === 'ok' || look === 'silent' || look === 'unknown') return <span class={`look-mark is-${look}`} aria-hidden="true" />;
  return <Grade severity={look} />;
}

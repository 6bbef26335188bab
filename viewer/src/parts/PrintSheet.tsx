/** What a printed page holds in place of panel and tools: the city, the map as it stands, and what its colours mean. */

import { render } from 'preact';
import { pick, t } from '../i18n/text';
import { city, map } from '../state/session';
import { view } from '../state/store';
import { Legend } from './Legend';
import { PrintedRun } from './scenarios/Later';
import { fullTime } from './sensing/words';
import { Attribution } from './StatusBar';

/** Puts the sheet before the page for as long as it is printed; on the screen there is none. */
export function printWithSheet(window: Window): void {
  const sheet = window.document.createElement('section');
  sheet.className = 'print-sheet';
  window.addEventListener('beforeprint', () => {
    window.document.body.prepend(sheet);
    render(<PrintSheet />, sheet);
  });
  window.addEventListener('afterprint', () => {
    render(null, sheet);
    sheet.remove();
  });
}

function PrintSheet() {
  const document = city.value?.document;
  const visible = new Set(view.value.layers.filter((layer) => layer.visible).map((layer) => layer.id));
  const layers = (city.value?.collections ?? []).filter(({ id, twin }) => visible.has(id) && twin.legend.length > 0);
  return (
    <>
      <header>
        <h1>{document ? pick(document.title) : t('app.name')}</h1>
        <p>{view.value.date ?? fullTime(Date.now())}</p>
      </header>
      {document?.made_up && (
        <p class="made-up">
          <strong>{t('city.made_up')}</strong> {t('city.made_up.note')}
        </p>
      )}
      <canvas class="print-map" ref={(canvas) => void (canvas && map.peek()?.copyTo(canvas))} />
      <PrintedRun />
      <div class="print-legend">
        {layers.map(({ id, twin }) => (
          <figure key={id}>
            <figcaption>{pick(twin.title)}</figcaption>
            <Legend entries={twin.legend} />
          </figure>
        ))}
      </div>
      <Attribution />
    </>
  );
}

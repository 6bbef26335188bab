/** The panel: city, search, layers, objects in view, date. At the side on a wide screen, a sheet from below on a phone. */

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/text';
import type { Key } from '../i18n/en';
import { isEmpty, panelBox, panelSize, panelTab, type PanelTab } from '../state/session';
import { DateControl } from './DateControl';
import { ForgetToken } from './DrawBar';
import { ExtraLayers } from './ExtraLayers';
import { Header } from './Header';
import { LayerTree } from './LayerTree';
import { ObjectList } from './ObjectList';
import { Search } from './Search';
import { SheetGrip } from './SheetGrip';

const TABS: readonly (readonly [PanelTab, Key & `panel.${PanelTab}`])[] = [
  ['layers', 'panel.layers'],
  ['objects', 'panel.objects'],
];

export function Panel() {
  const panel = useRef<HTMLElement>(null);
  const size = panelSize.value;
  useEffect(() => {
    const element = panel.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (panelBox.value = taken(element)));
    observer.observe(element);
    observer.observe(document.documentElement);
    return () => observer.disconnect();
  }, []);
  return (
    <aside ref={panel} class="panel" data-size={size} aria-label={t('panel.title')}>
      <SheetGrip />
      <Header />
      <Search />
      {!isEmpty.value && (
        <div class="panel-more">
          <Tabs />
          <div class="panel-content" role="tabpanel" id="panel-content" aria-labelledby={`tab-${panelTab.value}`} tabIndex={0}>
            {panelTab.value === 'layers' ? <LayersTab /> : <ObjectList />}
          </div>
          <DateControl />
        </div>
      )}
    </aside>
  );
}

function LayersTab() {
  return (
    <>
      <LayerTree />
      <ExtraLayers />
      <ForgetToken />
    </>
  );
}

/** What the panel takes from the map: nothing beside it once it is only a header. */
function taken(panel: HTMLElement): { width: number; height: number } {
  const { right, height } = panel.getBoundingClientRect();
  document.documentElement.style.setProperty('--sheet', `${height}px`);
  const isSheet = right > window.innerWidth - 120;
  return { width: !isSheet && panelSize.peek() === 'small' ? 0 : right, height };
}

function Tabs() {
  const choose = (tab: PanelTab): void => {
    panelTab.value = tab;
    document.getElementById(`tab-${tab}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={t('panel.title')}>
      {TABS.map(([tab, key], index) => (
        <button
          key={tab}
          id={`tab-${tab}`}
          type="button"
          role="tab"
          aria-selected={panelTab.value === tab}
          aria-controls="panel-content"
          tabIndex={panelTab.value === tab ? 0 : -1}
          onClick={() => choose(tab)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
            const other = TABS[(index + (event.key === 'ArrowRight' ? 1 : TABS.length - 1)) % TABS.length];
            if (other) choose(other[0]);
          }}
        >
          {t(key)}
        </button>
      ))}
    </div>
  );
}

/** The panel: city, search, layers, objects in view, date. At the side on a wide screen, a sheet from below on a phone. */

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/text';
import type { Key } from '../i18n/en';
import { unseenCount } from '../state/sensing/alarm';
import { events } from '../state/sensing/events';
import { hasSensors } from '../state/sensing/live';
import { isEmpty, panelBox, panelSize, panelTab, type PanelTab } from '../state/session';
import { DateControl } from './DateControl';
import { ForgetToken } from './DrawBar';
import { ExtraLayers } from './ExtraLayers';
import { Header } from './Header';
import { LayerTree } from './LayerTree';
import { ObjectList } from './ObjectList';
import { Search } from './Search';
import { ScenariosTab } from './scenarios/Later';
import { EventsTab } from './sensing/EventsTab';
import { SensorsTab } from './sensing/SensorsTab';
import { SheetGrip } from './SheetGrip';

const TABS: readonly (readonly [PanelTab, Key & `panel.${PanelTab}`])[] = [
  ['layers', 'panel.layers'],
  ['objects', 'panel.objects'],
  ['sensors', 'panel.sensors'],
  ['events', 'panel.events'],
  ['scenarios', 'panel.scenarios'],
];
const CONTENT: Readonly<Record<PanelTab, () => preact.JSX.Element>> = { layers: LayersTab, objects: ObjectList, sensors: SensorsTab, events: EventsTab, scenarios: ScenariosTab };

export function Panel() {
  const panel = useRef<HTMLElement>(null);
  const Content = CONTENT[panelTab.value];
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
            <Content />
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
  // A city without sensors and events has no use for their tabs.
  const tabs = TABS.filter(([tab]) => (tab !== 'sensors' || hasSensors.value) && (tab !== 'events' || hasSensors.value || events.value.size > 0));
  const choose = (tab: PanelTab): void => {
    panelTab.value = tab;
    document.getElementById(`tab-${tab}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={t('panel.title')}>
      {tabs.map(([tab, key], index) => (
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
            const other = tabs[(index + (event.key === 'ArrowRight' ? 1 : tabs.length - 1)) % tabs.length];
            if (other) choose(other[0]);
          }}
        >
          {t(key)}
          {tab === 'events' && unseenCount.value > 0 && <span class="tab-count">{unseenCount.value}</span>}
        </button>
      ))}
    </div>
  );
}

/** The buttons at the edge of the map. */

import { t } from '../i18n/text';
import { announcement, helpOpen, map } from '../state/session';
import { closeTimeBar, openTimeBar } from '../state/sensing/clock';
import { hasSensors } from '../state/sensing/live';
import { shareLink, update, view } from '../state/store';
import { closeTable, openTable, tabular } from '../state/table';
import { closeWays, hasRoads, openWays } from '../state/ways/ways';
import { Icon, type IconName } from './Icon';

export function Toolbar() {
  const { is3d, style, camera, table, sensing, ways } = view.value;
  const bearing = Math.round(camera?.bearing ?? 0);
  return (
    <div class="toolbar" role="group" aria-label={t('map.tools')}>
      <div class="tool-group">
        <Tool icon="plus" label={t('map.zoom_in')} onClick={() => map.peek()?.zoomBy(1)} />
        <Tool icon="minus" label={t('map.zoom_out')} onClick={() => map.peek()?.zoomBy(-1)} />
      </div>
      <div class="tool-group">
        <button type="button" class="tool" aria-label={t('map.north', { bearing })} title={t('map.north', { bearing })} onClick={() => map.peek()?.northUp()}>
          <Needle bearing={bearing} />
        </button>
        <Tool icon="home" label={t('map.home')} onClick={() => map.peek()?.home()} />
      </div>
      <div class="tool-group">
        <Tool icon="cube" label={t('map.3d')} pressed={is3d} onClick={() => update({ is3d: !is3d })} />
        <Tool icon="table" label={t('table.title')} pressed={table !== null} onClick={toggleTable} />
        {hasRoads.value && <Tool icon="way" label={t('ways.title')} pressed={ways.tool !== null} onClick={() => (ways.tool === null ? openWays('reach') : closeWays())} />}
        {hasSensors.value && <Tool icon="clock" label={t('time.open')} pressed={sensing.window !== null} onClick={() => (sensing.window ? closeTimeBar() : openTimeBar())} />}
        <Tool icon="moon" label={t('map.night')} pressed={style === 'night'} onClick={() => update({ style: style === 'night' ? 'day' : 'night' })} />
      </div>
      <div class="tool-group">
        <Tool icon="link" label={t('share.copy')} onClick={() => void copyLink()} />
        <Tool icon="keyboard" label={t('help.open')} onClick={() => (helpOpen.value = true)} />
      </div>
    </div>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
}

function Tool({ icon, label, pressed, onClick }: ToolProps) {
  return (
    <button type="button" class="tool" aria-label={label} title={label} aria-pressed={pressed} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function Needle({ bearing }: { bearing: number }) {
  return (
    <svg class="icon needle" viewBox="0 0 20 20" aria-hidden="true" focusable="false" style={{ transform: `rotate(${-bearing}deg)` }}>
      <path class="needle-north" d="M10 2 13.5 10h-7z" />
      <path class="needle-south" d="M10 18 6.5 10h7z" />
    </svg>
  );
}

/** The table of the topmost layer that is shown, or of the one that a card is open of. */
function toggleTable(): void {
  const { table, selected, layers } = view.peek();
  if (table) closeTable();
  else {
    const offered = tabular().map((layer) => layer.id);
    const wanted = [selected?.layer, ...layers.filter((layer) => layer.visible).map((layer) => layer.id), offered[0]];
    const layer = wanted.find((id) => id !== undefined && offered.includes(id));
    if (layer !== undefined) openTable(layer);
  }
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(shareLink(window.location));
    announcement.value = t('share.copied');
  } catch {
    announcement.value = t('share.failed');
  }
}

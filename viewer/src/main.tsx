/** Start: the view from the address, the page, then the server. */

import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app';
import { pick } from './i18n/text';
import { printWithSheet } from './parts/PrintSheet';
import { startLoading } from './state/load';
import { recallSound, unseenCount } from './state/sensing/alarm';
import { startEvents } from './state/sensing/events';
import { startSensing } from './state/sensing/live';
import { startPast } from './state/sensing/past';
import { startTyphoons } from './state/sensing/typhoons';
import { watchSelection } from './state/selection';
import { recallToken } from './state/token';
import { city, panelSize, panelTab } from './state/session';
import { bindToAddress, field, view } from './state/store';
import './styles/index.css';

bindToAddress(window);
recallToken();
if (view.peek().scenario.run !== null) panelTab.value = 'scenarios';

// On a phone the city comes first, the panel when it is asked for.
if (window.innerWidth < 720) panelSize.value = 'small';

const language = field('language');
const style = field('style');

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
});
effect(() => {
  document.documentElement.dataset.theme = style.value;
});
effect(() => {
  const title = city.value?.document.title;
  const calls = unseenCount.value > 0 ? `(${unseenCount.value}) ` : '';
  document.title = calls + (title ? `${pick(title)} · CityTwin` : 'CityTwin');
});

const root = document.getElementById('app');
if (root) render(<App />, root);
printWithSheet(window);

startLoading();
watchSelection();
startSensing();
startEvents();
startPast();
startTyphoons();
recallSound();

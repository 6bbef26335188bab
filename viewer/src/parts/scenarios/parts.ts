/** What is fetched with the scenarios. */

import { startLinkDifference } from '../../state/scenarios/link_difference';
import { startPlaying } from '../../state/scenarios/play';
import { startResults } from '../../state/scenarios/results';
import { startScenarios } from '../../state/scenarios/runs';
import { startVehicles } from '../../state/scenarios/vehicles';

export { LinkProfile } from './LinkProfile';
export { OnMap } from './OnMap';
export { Printed } from './Printed';
export { Probed } from './Probed';
export { Scenarios } from './Scenarios';

/** Begins to follow the view; for as long as the page is open. */
export function start(): void {
  startScenarios();
  startPlaying();
  startResults();
  startVehicles();
  startLinkDifference();
}

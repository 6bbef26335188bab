/** What is fetched with the card of ways. */

export { startWays as start } from '../../state/ways/ways';
export { WaysCard } from './WaysCard';

/** What a run has beside the panel: its clock, the line between two runs or their names, the table that is open. */

import { comparing, run, times } from '../../state/scenarios/runs';
import { drawing } from '../../state/session';
import { PaneNames } from './PaneNames';
import { ResultBar } from './ResultBar';
import { ResultTable } from './ResultTable';
import { SwipeLine } from './SwipeLine';
import { openedTable } from './Tables';

export function OnMap() {
  const job = run.value;
  if (job?.status !== 'successful') return null;
  const table = openedTable.value;
  const together = drawing.value === null ? comparing.value : null;
  return (
    <>
      {together === 'swipe' && <SwipeLine />}
      {together === 'side' && <PaneNames />}
      {times.value.length > 1 && <ResultBar />}
      {table !== null && job.twin.tables.includes(table) && <ResultTable key={`${job.jobID} ${table}`} job={job} name={table} />}
    </>
  );
}

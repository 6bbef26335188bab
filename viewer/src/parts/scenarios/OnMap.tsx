/** What a run has beside the panel: its clock, the line between two runs, the table that is open. */

import { beside, otherLook, shown } from '../../state/scenarios/results';
import { run, times } from '../../state/scenarios/runs';
import { view } from '../../state/store';
import { ResultBar } from './ResultBar';
import { ResultTable } from './ResultTable';
import { SwipeLine } from './SwipeLine';
import { openedTable } from './Tables';

export function OnMap() {
  const job = run.value;
  if (job?.status !== 'successful') return null;
  const table = openedTable.value;
  const two = (shown.value !== null && beside.value !== null) || otherLook.value.objects.length > 0;
  const parted = two && view.value.scenario.comparison === 'swipe';
  return (
    <>
      {parted && <SwipeLine />}
      {times.value.length > 1 && <ResultBar />}
      {table !== null && job.twin.tables.includes(table) && <ResultTable key={`${job.jobID} ${table}`} job={job} name={table} />}
    </>
  );
}

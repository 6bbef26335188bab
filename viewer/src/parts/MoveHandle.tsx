/** The handle by which a row of a list is moved: dragged, or with the arrow keys while it has the focus. */

import { useRef } from 'preact/hooks';
import { Icon } from './Icon';

interface MoveHandleProps {
  readonly label: string;
  /** The row's place in its list. */
  readonly index: number;
  readonly count: number;
  readonly onMove: (to: number) => void;
}

export function MoveHandle({ label, index, count, onMove }: MoveHandleProps) {
  const button = useRef<HTMLButtonElement>(null);

  const move = (to: number): void => {
    if (to === index || to < 0 || to >= count) return;
    onMove(to);
    // The row's elements are moved in the page, which takes the focus from them.
    requestAnimationFrame(() => button.current?.focus());
  };

  return (
    <button
      ref={button}
      type="button"
      class="move-handle"
      aria-label={label}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
        if (step === 0) return;
        event.preventDefault();
        move(index + step);
      }}
      onPointerDown={(event) => {
        const row = event.currentTarget.closest<HTMLElement>('[data-row]');
        if (row && event.button === 0) drag(event.currentTarget, event.pointerId, row, move);
      }}
    >
      <Icon name="handle" />
    </button>
  );
}

/** Follows the pointer and marks where the row would go; tells at the end. Escape lets all be as it was. */
function drag(button: HTMLElement, pointer: number, row: HTMLElement, drop: (to: number) => void): void {
  const rows = [...(row.parentElement?.children ?? [])].filter((child): child is HTMLElement => child instanceof HTMLElement && child.dataset.row !== undefined);
  const from = rows.indexOf(row);
  const done = new AbortController();
  let to = from;
  const mark = (): void => {
    rows.forEach((other, index) => {
      if (index === to && to !== from) other.dataset.drop = to < from ? 'above' : 'below';
      else delete other.dataset.drop;
    });
  };
  const finish = (apply: boolean): void => {
    done.abort();
    const target = to;
    to = from;
    mark();
    delete row.dataset.dragged;
    if (apply) drop(target);
  };
  const { signal } = done;
  button.setPointerCapture(pointer);
  row.dataset.dragged = '';
  button.addEventListener('pointermove', (event) => {
    to = placeOf(rows, event.clientY);
    mark();
  }, { signal });
  button.addEventListener('pointerup', () => finish(true), { signal });
  button.addEventListener('pointercancel', () => finish(false), { signal });
  window.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') finish(false);
  }, { signal });
}

function placeOf(rows: readonly HTMLElement[], y: number): number {
  const at = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);
  return at < 0 ? rows.length - 1 : at;
}

/** Search by name, number or coordinates: an input with a list to choose from. */

import { Fragment } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { SearchHit } from '../api/documents';
import { isAbort } from '../api/client';
import { pick, t } from '../i18n/text';
import { answers, layerOf, type Answer } from '../state/search';
import { select, showPlace } from '../state/selection';
import { announcement, city, panelSize } from '../state/session';
import { view } from '../state/store';
import type { ViewState } from '../state/view';
import { Icon } from './Icon';
import { classLabel } from './labels';

/** Milliseconds of rest after the last key before the server is asked. */
const DEBOUNCE = 220;

export function Search() {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const { found, note } = useAnswers(text);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const listed = open && (found.length > 0 || note !== null);

  useEffect(() => setActive(-1), [found]);
  useEffect(() => document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' }), [id, active]);
  useShortcut(() => {
    if (panelSize.peek() === 'small') panelSize.value = 'middle';
    input.current?.focus();
  });

  const choose = (answer: Answer | undefined): void => {
    if (!answer) return;
    setOpen(false);
    if (answer.kind === 'place') showPlace(answer.place);
    else select({ layer: answer.hit.layer, id: String(answer.hit.object_id) }, answer.box);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setOpen(true);
      setActive((at) => (at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === 'Enter') choose(found[Math.max(0, active)]);
    else if (event.key === 'Escape') {
      if (listed) setOpen(false);
      else setText('');
    }
  };

  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        role="combobox"
        inputMode="search"
        autocomplete="off"
        spellcheck={false}
        aria-label={t('search.label')}
        placeholder={t('search.placeholder')}
        aria-expanded={listed}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {text !== '' && (
        <button type="button" class="bare" aria-label={t('search.clear')} onClick={() => (setText(''), input.current?.focus())}>
          <Icon name="close" />
        </button>
      )}
      <div class="answers" hidden={!listed}>
        <ul id={`${id}-list`} role="listbox" aria-label={t('search.results')}>
          {found.map((answer, index) => (
            <Fragment key={index}>
              {opensGroup(found, index) && (
                <li class="group" role="presentation" aria-hidden="true">
                  {layerTitle(answer)}
                </li>
              )}
              <li
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === active}
                // The list would close, the input losing the focus, before a click reached it.
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => choose(answer)}
              >
                <AnswerLine answer={answer} />
              </li>
            </Fragment>
          ))}
        </ul>
        {note !== null && <p class="quiet">{note}</p>}
      </div>
    </div>
  );
}

/** Whether the first of a layer stands here. */
function opensGroup(found: readonly Answer[], index: number): boolean {
  const [before, answer] = [found[index - 1], found[index]];
  return answer?.kind === 'object' && (!before || layerOf(before) !== layerOf(answer));
}

function layerTitle(answer: Answer): string {
  const layer = city.value?.collections.find(({ id }) => id === layerOf(answer));
  return layer ? pick(layer.twin.title) : '';
}

function AnswerLine({ answer }: { answer: Answer }) {
  if (answer.kind === 'place') {
    return (
      <>
        <Icon name="target" />
        <span>{t('search.coordinate', { place: answer.label })}</span>
      </>
    );
  }
  const { hit } = answer;
  const layer = city.value?.collections.find((collection) => collection.id === hit.layer);
  const kind = classLabel({ class: hit.class }, layer);
  return (
    <>
      <Icon name="pin" />
      <span>{hit.label}</span>
      <small>{[addressOf(hit), kind && pick(kind), hit.township].filter(Boolean).join(' · ')}</small>
    </>
  );
}

/** The address by which something was found that is called otherwise. */
function addressOf({ label, matched }: SearchHit): string | null {
  return matched && /\d/.test(matched) && !label.includes(matched) ? matched : null;
}

interface Answers {
  readonly found: readonly Answer[];
  /** What to say instead of, or below, the list. */
  readonly note: string | null;
}

const NOTHING: Answers = { found: [], note: null };

function useAnswers(text: string): Answers {
  const [state, setState] = useState<Answers>(NOTHING);
  const wanted = text.trim();
  const loaded = city.value;
  useEffect(() => {
    if (wanted === '' || !loaded) {
      setState(NOTHING);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      answers(loaded.root, loaded.document, { text: wanted, ...pickView() }, abort.signal).then(
        (found) => {
          if (abort.signal.aborted) return;
          const note = found.length === 0 ? t('search.none', { text: wanted }) : null;
          setState({ found, note });
          announcement.value = note ?? t('search.count', { count: found.length });
        },
        (error: unknown) => {
          if (isAbort(error)) return;
          setState({ found: [], note: t('search.failed', { reason: error instanceof Error ? error.message : String(error) }) });
        },
      );
    }, DEBOUNCE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted, loaded]);
  return state;
}

function pickView(): Pick<ViewState, 'language' | 'camera'> {
  const { language, camera } = view.peek();
  return { language, camera };
}

function useShortcut(run: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      run();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

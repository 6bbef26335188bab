/** What is being typed, kept as it is typed: a form that is drawn anew meanwhile must not put it back. */

import { useEffect, useState } from 'preact/hooks';

type Typing = Event & { readonly currentTarget: HTMLInputElement | HTMLTextAreaElement };

interface Draft {
  readonly input: {
    readonly value: string;
    readonly 'aria-invalid': boolean;
    readonly onInput: (event: Typing) => void;
    readonly onBlur: () => void;
  };
  /** What is wrong with the text, in words. */
  readonly fault: string | null;
}

/** shown: what stands there when nobody types. take: gets each state of the text; what is wrong with it, null: it is taken. */
export function useDraft(shown: string, take: (text: string, isBad: boolean) => string | null): Draft {
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  // What was wrong goes when another value comes, as from a preset.
  useEffect(() => {
    if (fault === null) return;
    setTyped(null);
    setFault(null);
  }, [shown]);
  return {
    fault,
    input: {
      value: typed ?? shown,
      'aria-invalid': fault !== null,
      onInput: ({ currentTarget: { value, validity } }) => {
        setTyped(value);
        setFault(take(value, validity.badInput));
      },
      // What is wrong stays to be mended.
      onBlur: () => {
        if (fault === null) setTyped(null);
      },
    },
  };
}

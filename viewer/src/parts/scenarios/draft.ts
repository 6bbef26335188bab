/** What is being typed, kept as it is typed: a form that is drawn anew meanwhile must not put it back. */

import { useState } from 'preact/hooks';

type Typing = Event & { readonly currentTarget: HTMLInputElement | HTMLTextAreaElement };

interface Draft {
  readonly value: string;
  readonly onInput: (event: Typing) => void;
  readonly onBlur: () => void;
}

/** What a text field needs. shown: what stands there when nobody types; take: gets each state of the text. */
export function useDraft(shown: string, take: (text: string) => void): Draft {
  const [typed, setTyped] = useState<string | null>(null);
  return {
    value: typed ?? shown,
    onInput: ({ currentTarget: { value } }) => {
      setTyped(value);
      take(value);
    },
    onBlur: () => setTyped(null),
  };
}

/** A text of an object or a table: an uploaded photo is shown, an address of the web is a link. */

import { UPLOADED } from '../api/photos';
import { Photo } from './Photo';

const WEB_ADDRESS = /^https?:\/\/\S+$/;

export function Linked({ text }: { text: string }) {
  if (UPLOADED.test(text)) return <Photo photo={text} />;
  if (!WEB_ADDRESS.test(text)) return <>{text}</>;
  return (
    <a href={text} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
}

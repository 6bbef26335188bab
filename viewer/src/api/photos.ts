/** Photos of what people saw: uploaded for the inputs of a run, shown to who may see them. */

import { refusal, ServerUnreachable } from './client';
import { authorization } from './scenarios';

/** How inputs and objects name an uploaded photo. */
export const UPLOADED = /^photos\/[0-9a-f-]{36}$/;
/** What the server takes as it is, bytes; a larger file is drawn smaller first. */
const MOST = 4 * 2 ** 20;
const LONGEST = 2400;

export interface Uploaded {
  readonly photo: string;
  /** As the camera wrote it into the file, which the server does not keep. */
  readonly place: { readonly type: 'Point'; readonly coordinates: readonly [number, number] } | null;
  readonly time: string | null;
}

/** Raises ServerRefused, ServerUnreachable; Error for a file that is no picture. */
export async function uploadPhoto(root: string, file: Blob): Promise<Uploaded> {
  const body = file.size > MOST ? await smaller(file) : file;
  const response = await answered(`${root}/photos`, { method: 'POST', body, headers: { 'Content-Type': body.type.startsWith('image/') ? body.type : 'application/octet-stream' } });
  return (await response.json()) as Uploaded;
}

/** The picture of an uploaded photo by its name. */
export async function getPhoto(root: string, photo: string): Promise<Blob> {
  return (await answered(`${root}/${photo}`, {})).blob();
}

async function answered(address: string, options: RequestInit & { readonly headers?: Readonly<Record<string, string>> }): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { ...options, headers: { 'Accept-Language': document.documentElement.lang, ...options.headers, ...authorization() } });
  } catch {
    throw new ServerUnreachable(`${new URL(address).host} does not answer`);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function smaller(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((given, refused) => canvas.toBlob((blob) => (blob ? given(blob) : refused(new Error(file.type))), 'image/jpeg', 0.85));
}

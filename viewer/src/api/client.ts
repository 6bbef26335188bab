/** Asking the server the viewer came from. */

/** The server answered, and the answer is a refusal (RFC 9457 problem, or a bare status). */
export class ServerRefused extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title || `HTTP ${status}`);
  }
}

/** The server did not answer at all. */
export class ServerUnreachable extends Error {}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
}

/** The viewer stands one level under the server's root (/viewer/), under whatever prefix a proxy gives both. */
export function serverRoot(): string {
  return new URL('../', document.baseURI).href;
}

/**
 * An address of the server, rebased onto the root this page came from: the server may know itself under
 * another name (localhost, a container), which the browser would refuse as a foreign origin.
 */
export function onServer(address: string, root: string = serverRoot()): string {
  const path = address.replace(/^[a-z]+:\/\/[^/]+/i, '');
  const prefix = new URL(root).pathname;
  const local = path.startsWith(prefix) ? path.slice(prefix.length) : path.replace(/^\//, '');
  return root + local;
}

export async function getJson<T>(url: string, signal?: AbortSignal, further: Readonly<Record<string, string>> = {}): Promise<T> {
  let response: Response;
  try {
    const headers = { Accept: 'application/json', 'Accept-Language': document.documentElement.lang, ...further };
    response = await fetch(url, { headers, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ServerUnreachable(`${new URL(url).host} does not answer`);
  }
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export async function refusal(response: Response): Promise<ServerRefused> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy's refusal is no JSON: the status says enough.
  }
  return new ServerRefused(response.status, problem.title ?? response.statusText, problem.detail ?? '');
}

/** Server-sent events: read right however the network cuts them, and taken up again where they broke off. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { followStream, MessageReader, type Message } from '../src/api/event_stream';

const TEXT = 'retry: 2000\n\nid: 7-1\nevent: observations\ndata: [1]\n\n: still here\n\nid: 7-2\r\ndata: a\r\ndata:b\r\n\r\n';
const MESSAGES = [
  { id: '7-1', event: 'observations', data: '[1]' },
  { id: '7-2', event: 'message', data: 'a\nb' },
];

describe('the text of a stream', () => {
  it('is read the same wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: TEXT.length })), (cuts) => {
        const reader = new MessageReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
        expect(edges.slice(1).flatMap((edge, index) => reader.read(TEXT.slice(edges[index], edge)))).toEqual(MESSAGES);
      }),
    );
  });
});

describe('a stream', () => {
  let server: Server;
  beforeAll(() => vi.stubGlobal('window', globalThis));
  afterEach(() => server.closeAllConnections());

  /** Follows a server until it has told so many messages; what it was asked with. */
  async function following(answer: (request: IncomingMessage, response: ServerResponse, turn: number) => void, many: number) {
    const places: (string | undefined)[] = [];
    server = createServer((request, response) => {
      places.push(request.headers['last-event-id'] as string | undefined);
      answer(request, response, places.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const abort = new AbortController();
    const told: Message[] = [];
    const connected: boolean[] = [];
    await new Promise<void>((resolve) => {
      const onMessage = (message: Message): void => {
        told.push(message);
        if (told.length === many) resolve();
      };
      void followStream(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { onMessage, onConnected: (on) => connected.push(on) }, abort.signal);
    });
    abort.abort();
    server.close();
    return { places, told, connected };
  }

  it('is taken up with the id of the last message', async () => {
    const { places, told, connected } = await following((_, response, turn) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(`id: ${turn}\ndata: ${turn}\n\n`);
      if (turn === 1) response.end();
    }, 2);
    expect(places).toEqual([undefined, '1']);
    expect(told.map((message) => message.data)).toEqual(['1', '2']);
    expect(connected).toEqual([true, false, true]);
  });

  it('is begun anew where its place is refused, and tried again after any refusal', async () => {
    const { places } = await following((_, response, turn) => {
      if (turn === 2) response.writeHead(400).end();
      else {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(`id: ${turn}\ndata: x\n\n`);
        if (turn === 1) response.end();
      }
    }, 2);
    expect(places).toEqual([undefined, '1', undefined]);
  });
});

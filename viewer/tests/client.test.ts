/** Addresses: the server may know itself by another name than the one this page was reached by. */

import { describe, expect, it } from 'vitest';
import { onServer } from '../src/api/client';

describe('an address of the server', () => {
  it.each([
    ['http://localhost:8000/cities/lyon', 'http://127.0.0.1:8000/', 'http://127.0.0.1:8000/cities/lyon'],
    ['/cities/lyon', 'http://127.0.0.1:8000/', 'http://127.0.0.1:8000/cities/lyon'],
    ['', 'http://127.0.0.1:8000/', 'http://127.0.0.1:8000/'],
    ['http://inside:1', 'https://city.example/twin/', 'https://city.example/twin/'],
    ['https://city.example/twin/styles/day', 'https://city.example/twin/', 'https://city.example/twin/styles/day'],
    ['http://inside:1/styles/day', 'https://city.example/twin/', 'https://city.example/twin/styles/day'],
    ['/tiles/{z}/{y}/{x}?collections=a,b', 'http://127.0.0.1:8000/', 'http://127.0.0.1:8000/tiles/{z}/{y}/{x}?collections=a,b'],
  ])('%s seen from %s is %s', (address, root, expected) => expect(onServer(address, root)).toBe(expected));
});

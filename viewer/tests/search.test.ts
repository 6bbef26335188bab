/** Answers in the order in which they are shown. */

import { describe, expect, it } from 'vitest';
import { grouped, layerOf, type Answer } from '../src/state/search';

function hit(layer: string, id: number): Answer {
  return { kind: 'object', hit: { layer, object_id: id, label: String(id) }, box: null };
}

describe('answers', () => {
  it('stand together by layer, the layer of the best first', () => {
    const place: Answer = { kind: 'place', place: { lng: 1, lat: 2 }, label: '1, 2' };
    const shown = grouped([place, hit('roads', 1), hit('buildings', 2), hit('roads', 3)]);
    expect(shown.map(layerOf)).toEqual([null, 'roads', 'roads', 'buildings']);
    expect(shown.slice(1).map((answer) => answer.kind === 'object' && answer.hit.object_id)).toEqual([1, 3, 2]);
  });
});

/** Small documents of the server's shape, for the pure parts of the viewer. */

import type { Collection, Property } from '../src/api/documents';

interface Given {
  readonly theme?: string;
  readonly themeOrder?: number;
  readonly order?: number;
  readonly visible?: boolean;
  readonly properties?: readonly Property[];
}

export function collection(id: string, { theme = id, themeOrder = 0, order = 0, visible = true, properties = [] }: Given = {}): Collection {
  return {
    id,
    title: id,
    twin: {
      title: { zh: id, en: id },
      theme: { id: theme, zh: theme, en: theme, order: themeOrder },
      order,
      geometry: 'polygon',
      visible,
      count: 1,
      editable: true,
      properties,
      legend: [],
    },
  };
}

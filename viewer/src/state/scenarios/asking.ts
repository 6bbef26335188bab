/** The scenario whose form is open, and what it begins with; null: none. */

import { signal } from '@preact/signals';
import type { Attributes } from '../../api/documents';
import type { Process } from '../../api/scenarios';

export const asking = signal<{ readonly process: Process; readonly inputs: Attributes } | null>(null);

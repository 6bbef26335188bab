/** The words in which values are shown, in the view's language and the city's time zone. */

import { t } from '../i18n/text';
import { city } from '../state/session';
import type { ValueWords } from './labels';

export function valueWords(): ValueWords {
  return {
    yes: t('value.yes'),
    no: t('value.no'),
    titles: { valid_from: t('card.valid_from'), valid_to: t('card.valid_to') },
    timeZone: city.value?.document.time_zone ?? 'UTC',
  };
}

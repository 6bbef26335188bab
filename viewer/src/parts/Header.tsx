/** Which product, which city, which language. */

import { pick, t } from '../i18n/text';
import { chosen, switchCity } from '../state/load';
import { cities, city } from '../state/session';
import { update, view } from '../state/store';

export function Header() {
  return (
    <header class="header">
      <div class="brand">
        <Mark />
        <div class="brand-text">
          <span class="brand-name">CityTwin</span>
          <CityName />
        </div>
        <button type="button" class="language" lang={view.value.language === 'zh' ? 'en' : 'zh'} title={t('language.switch')} onClick={switchLanguage}>
          {view.value.language === 'zh' ? 'EN' : '中'}
          <span class="unseen"> {t('language.switch')}</span>
        </button>
      </div>
      {city.value?.document.made_up && (
        <p class="made-up" title={t('city.made_up.note')}>
          <strong>{t('city.made_up')}</strong> <span>{t('city.made_up.note')}</span>
        </p>
      )}
    </header>
  );
}

function CityName() {
  const list = cities.value ?? [];
  const current = chosen.value;
  if (!current) return null;
  if (list.length === 1) return <h1 class="city-name">{pick(current.title)}</h1>;
  return (
    <h1 class="city-name">
      <select class="city-select" aria-label={t('city.choose')} value={current.name} onChange={(event) => switchCity(event.currentTarget.value)}>
        {list.map((entry) => (
          <option key={entry.name} value={entry.name}>
            {pick(entry.title)}
          </option>
        ))}
      </select>
    </h1>
  );
}

function switchLanguage(): void {
  update({ language: view.peek().language === 'zh' ? 'en' : 'zh' });
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" class="mark-ground" />
      <path class="mark-city" d="M7 22V13l5-3v12M14 22V7l6 3v12M22 22v-7l3 1.5V22" />
      <path class="mark-water" d="M6 26c2.5-2 5 2 7.5 0s5 2 7.5 0 3.5 0 5 0" />
    </svg>
  );
}

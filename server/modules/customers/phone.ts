import { getCountries, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js'
import { invalid } from '../../kernel/errors.ts'

/** Country of each time zone, from the runtime's own CLDR data. */
let countries: Map<string, CountryCode> | undefined

function countryOfZone(timezone: string): CountryCode | undefined {
  if (!countries) {
    countries = new Map()
    for (const country of getCountries()) {
      for (const zone of new Intl.Locale(`und-${country}`).getTimeZones() ?? []) {
        if (!countries.has(zone)) countries.set(zone, country)
      }
    }
  }
  return countries.get(timezone)
}

/** Where a number without a country code is from: the place's own country, or that of its language. */
export function defaultCountry(timezone: string, locale: string): CountryCode {
  return countryOfZone(timezone) ?? (new Intl.Locale(locale).maximize().region as CountryCode)
}

/**
 * E.164 form of a number as people write it: `06 12 34 56 78` in France → `+33612345678`.
 * @throws AppError invalid_input `phone` at `path`
 */
export function normalisePhone(typed: string, place: { timezone: string; locale: string }, path = '/phone'): string {
  const phone = parsePhoneNumberFromString(typed, defaultCountry(place.timezone, place.locale))
  if (!phone?.isValid()) throw invalid(path, 'phone')
  return phone.number
}

/** What spreadsheets take for a formula at the start of a cell, in narrow and wide letters. */
const STARTS = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/
/** Where a sheet is parted by semicolons, as in French, or by tabs, a cell begins behind them, whatever marks stand around. */
const STARTS_INSIDE = /([;\t\r\n]["'\s]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g

/** Text that somebody typed must stay text in whatever sheet opens it: an apostrophe in front says so. */
export const sheetText = (text: string): string => {
  const inside = text.replace(STARTS_INSIDE, "$1'")
  return STARTS.test(inside) ? `'${inside}` : inside
}

let days = 0

/** HISTORY_DAYS: how long the log and closed visits stay in the database; 0: for ever. */
export const useHistory = (historyDays: number): void => void (days = historyDays)
export const historyDays = (): number => days

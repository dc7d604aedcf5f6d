/** What a visitor may answer when called; stored as a label of the ticket, shown to staff by `ui.reply.*`. */
export const REPLIES = ['on_my_way', 'needs_time', 'cannot_come'] as const

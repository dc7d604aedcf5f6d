import { AppError } from './errors.ts'

let isHeld = false

/** In a restored copy nothing may leave: people would be told again what the original tells them. */
export function holdSending(held: boolean): void {
  isHeld = held
}

export const isSendingHeld = (): boolean => isHeld

/** The last door before anything that people or other systems hear. @throws AppError `sending_held` in a restored copy */
export function checkSending(): void {
  if (isHeld) throw new AppError('unavailable', 'sending_held')
}

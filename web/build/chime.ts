const RATE = 11_025
/** Frequency, start and length in seconds of each tone: a falling third, twice. */
const TONES = [
  [880, 0, 0.28],
  [698, 0.22, 0.5],
] as const
const SECONDS = 0.8

/** The two-tone chime of a call as a WAV file (8 bit, mono), 9 kB: made here, so that no recording needs a licence. */
export function chime(): Buffer {
  const samples = Buffer.alloc(Math.round(RATE * SECONDS), 128)
  for (const [index] of samples.entries()) {
    const time = index / RATE
    const level = TONES.reduce((sum, [frequency, start, length]) => {
      const age = time - start
      if (age < 0 || age > length) return sum
      const envelope = Math.min(1, age / 0.01) * Math.exp(-5 * age)
      return sum + envelope * (Math.sin(2 * Math.PI * frequency * age) + 0.3 * Math.sin(4 * Math.PI * frequency * age))
    }, 0)
    samples[index] = 128 + Math.round(Math.max(-1, Math.min(1, level * 0.6)) * 127)
  }
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(RATE, 24)
  header.writeUInt32LE(RATE, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}

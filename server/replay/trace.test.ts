import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { parseVisit, readTrace } from './trace.ts'

const header = 'arrival_s,start_s,end_s,class,server,abandoned,open_servers,scored'
const directory = mkdtempSync(join(tmpdir(), 'trace-'))
function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, gzipSync(text))
  return path
}

test('rows become typed visits, empty cells become null', async () => {
  const path = file(
    'good.csv.gz',
    `${header}\n100,130,,Office:1,,0,2,1\n105,,150,R-PS,,1,,0\n110,112,190,P-NW,a03,0,,1\n`,
  )
  expect(await Array.fromAsync(readTrace(path))).toEqual([
    {
      arrival_s: 100,
      start_s: 130,
      end_s: null,
      class: 'Office:1',
      server: null,
      abandoned: false,
      open_servers: 2,
      scored: true,
    },
    {
      arrival_s: 105,
      start_s: null,
      end_s: 150,
      class: 'R-PS',
      server: null,
      abandoned: true,
      open_servers: null,
      scored: false,
    },
    {
      arrival_s: 110,
      start_s: 112,
      end_s: 190,
      class: 'P-NW',
      server: 'a03',
      abandoned: false,
      open_servers: null,
      scored: true,
    },
  ])
})

test.each([
  ['too few cells', '100,130,,Office:1,,0,2'],
  ['no arrival', ',130,,Office:1,,0,2,1'],
  ['not a number', '1x0,130,,Office:1,,0,2,1'],
  ['no class', '100,130,,,,0,2,1'],
  ['served without a start', '100,,,Office:1,,0,2,1'],
  ['started before arrival', '100,99,,Office:1,,0,2,1'],
  ['ended before its start', '100,110,105,R-PS,a1,0,,1'],
  ['left before arrival', '100,,99,R-PS,,1,,1'],
  ['left at no time', '100,,,R-PS,,1,,1'],
  ['abandoned is neither 0 nor 1', '100,110,,Office:1,,yes,2,1'],
])('refuses a row: %s', (_, row) => {
  expect(parseVisit(row)).toBeNull()
})

test('names the line of a bad row, refuses another file and a backward clock', async () => {
  const read = (path: string) => Array.fromAsync(readTrace(path))
  await expect(read(file('bad.csv.gz', `${header}\n100,130,,Office:1,,0,2,1\nnonsense\n`))).rejects.toThrow(
    /bad.csv.gz:3/,
  )
  await expect(read(file('other.csv.gz', 'a,b,c\n1,2,3\n'))).rejects.toThrow(/not a trace/)
  await expect(read(file('back.csv.gz', `${header}\n100,130,,A:1,,0,2,1\n99,130,,A:1,,0,2,1\n`))).rejects.toThrow(
    /back in time/,
  )
  await expect(read(join(directory, 'missing.csv.gz'))).rejects.toThrow(/ENOENT/)
})

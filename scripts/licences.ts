import { readFileSync } from 'node:fs'

/** What may come along in an installation: licences that ask for their text and their notices, and for no source of ours. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'CC-BY-3.0',
  'ISC',
  'MIT',
  'MIT-0',
  'OFL-1.1',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
])
/** Packages under other words, and why they may come along all the same. */
const JUDGED: Readonly<Record<string, { licence: string | undefined; why: string }>> = {
  'fxa-common-password-list': { licence: 'MPL-2.0', why: 'used as it is published; the copyleft is of its own files' },
  'ical.js': { licence: 'MPL-2.0', why: 'used as it is published; the copyleft is of its own files' },
  'incremental-encoder': { licence: 'MPL 2.0', why: 'MPL-2.0 misspelt; used as it is published' },
  'web-push': { licence: 'MPL-2.0', why: 'used as it is published; the copyleft is of its own files' },
  'png-js': { licence: undefined, why: 'its package.json says nothing, its LICENSE file is that of MIT' },
}
/** libvips behind sharp is a library of its own that whoever installs may exchange, as the LGPL asks. */
const LIBVIPS = /^@img\/sharp-/

interface Package {
  license?: string
  dev?: boolean
  devOptional?: boolean
  link?: boolean
}

/** Runtime dependencies, also those of dependencies, whose licence nobody has agreed to: one line each. */
export function unlicensed(packages: Readonly<Record<string, Package>>): string[] {
  return Object.entries(packages).flatMap(([path, { license, dev, devOptional, link }]) => {
    const name = path.split('node_modules/').at(-1)!
    if (path === '' || dev || devOptional || link) return []
    const judged = JUDGED[name]
    if (judged && judged.licence === license) return []
    if (license !== undefined && isAllowed(license, LIBVIPS.test(name))) return []
    return [`${path}: ${license ?? 'no licence'} is not among the licences of scripts/licences.ts`]
  })
}

/** One of several that may be chosen, or all of several that hold together (SPDX expressions of one level). */
function isAllowed(expression: string, isLibvips: boolean): boolean {
  const text = expression.replace(/^\(|\)$/g, '')
  const isFine = (each: string) => ALLOWED.has(each) || (isLibvips && each === 'LGPL-3.0-or-later')
  return text.includes(' OR ') ? text.split(' OR ').some(isFine) : text.split(' AND ').every(isFine)
}

/** Of this project's lockfile. */
export function unlicensedDependencies(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> }
  return unlicensed(packages)
}

import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Folders whose mention in a document must exist, so that prose cannot outlive the code it speaks of. */
const OURS = /`((?:server|shared|scripts|db|docs|bench|test|web|deploy)\/[\w./-]+)`/g
const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g

/** Paths named in Markdown files that do not exist, one line each. */
export function brokenDocReferences(files: readonly string[]): string[] {
  return files
    .filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md')
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8').replace(/```[\s\S]*?```/g, '')
      const named = [...text.matchAll(OURS)].map((match) => match[1]!)
      const linked = [...text.matchAll(LINK)].map((match) => path.join(path.dirname(file), match[1]!))
      return [...new Set([...named, ...linked])]
        .filter((target) => !existsSync(target.replace(/\/$/, '')))
        .map((target) => `${file}: names ${target}, which does not exist`)
    })
}

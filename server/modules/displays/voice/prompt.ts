import Type from 'typebox'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Locale, Nullable, Text } from '../../../kernel/schema.ts'
import { textPath } from './announcement.ts'
import { canSpeak } from './render.ts'

/** What a ticket machine says to whoever does not see its screen. */
export const prompt = operation({
  id: 'kiosks.prompt',
  kind: 'query',
  summary: 'The clip of what a ticket machine says',
  description: 'Address of a clip of the program’s voice, rendered once; null where the server has no voice.',
  scope: 'read:site',
  roles: ['kiosk'],
  http: { method: 'GET', path: '/kiosks/prompt/' },
  input: Closed({ text: Text(400, { minLength: 1 }), language: Locale }),
  output: Closed({ clip: Nullable(Type.String()) }),
  example: { input: { text: 'Choisissez un service', language: 'fr' } },
  async run(_, { text, language }) {
    return { clip: (await canSpeak()) ? textPath(text, language) : null }
  },
})

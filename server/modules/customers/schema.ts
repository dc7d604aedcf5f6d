import Type from 'typebox'
import { Default } from '../../kernel/resource.ts'
import { Closed, Locale, Nullable, Text } from '../../kernel/schema.ts'

/** As typed; stored in E.164. */
const Phone = Text(40, { minLength: 3 })
const Email = Type.String({ format: 'email', maxLength: 254 })

/** What a customer agreed to; what is missing was never asked. */
const Consents = Closed({
  sms: Type.Optional(Type.Boolean()),
  whatsapp: Type.Optional(Type.Boolean()),
  email: Type.Optional(Type.Boolean()),
  push: Type.Optional(Type.Boolean()),
  marketing: Type.Optional(Type.Boolean()),
})

export const customerFields = {
  name: Default(Text(200), ''),
  phone: Default(Nullable(Phone), null),
  email: Default(Nullable(Email), null),
  locale: Default(Nullable(Locale), null),
  consents: Default(Consents, {}),
  /** The customer's key in the tenant's own system. */
  external_id: Default(Nullable(Text(200, { minLength: 1 })), null),
  note: Default(Text(2000), ''),
}

/** Somebody who takes a ticket, as far as they say who they are. */
export const Person = Closed({
  name: Type.Optional(Text(200)),
  phone: Type.Optional(Phone),
  email: Type.Optional(Email),
  locale: Type.Optional(Locale),
})

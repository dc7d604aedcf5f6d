import type { Job, JobContext } from '../../../kernel/jobs/index.ts'
import type { Database } from '../../../kernel/db/types.ts'
import { translate } from '../../../kernel/i18n.ts'
import { enqueueJob } from '../../../kernel/jobs/enqueue.ts'
import { deliver } from '../../../kernel/mail/index.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { xlsx } from '../exports/formats/xlsx.ts'
import { pagesOf, SOURCES } from '../exports/sources.ts'
import type { Period } from '../reports/period.ts'
import { reportText } from './lines.ts'
import { reportPdf } from './pdf.ts'
import { SEND_REPORT } from './resource.ts'

/** What a report that is sent on `day` tells of: the seven days before, or the calendar month before. */
export function reportedPeriod(frequency: 'weekly' | 'monthly', day: string): Period {
  const sent = Temporal.PlainDate.from(day)
  if (frequency === 'weekly')
    return { from: sent.subtract({ days: 7 }).toString(), to: sent.subtract({ days: 1 }).toString() }
  const first = sent.with({ day: 1 })
  return { from: first.subtract({ months: 1 }).toString(), to: first.subtract({ days: 1 }).toString() }
}

/** Those of a night: a job each recipient, so that one who cannot be reached holds up no other. */
async function dueReports({ runtime: { db } }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenantId = Number(payload['tenant_id'])
  const day = String(payload['day'])
  const { dayOfWeek, day: dayOfMonth } = Temporal.PlainDate.from(day)
  await db.tenant(tenantId, async (tx) => {
    const due = await tx.query<{ id: number; recipients: string[] }>(
      `select id, recipients from scheduled_reports
       where is_active and day = case frequency when 'weekly' then $1::int else $2::int end order by id`,
      [dayOfWeek, dayOfMonth],
    )
    for (const { id, recipients } of due)
      for (const recipient of recipients.keys()) {
        const job_key = `${SEND_REPORT}:${tenantId}:${id}:${day}:${recipient}`
        await enqueueJob(tx, tenantId, SEND_REPORT, { report_id: id, day, recipient }, { job_key })
      }
  })
}

interface Report {
  name: string
  site_id: number | null
  site: string | null
  frequency: 'weekly' | 'monthly'
  recipients: string[]
  locale: Locale
}

async function sendReport(context: JobContext, payload: Record<string, unknown>): Promise<void> {
  const { db } = context.runtime
  const tenant = (await context.tenants()).find(({ id }) => id === payload['tenant_id'])
  if (!tenant) return
  const report = await db.reader(tenant.id).maybe<Report>(
    `select r.name, r.site_id, s.name as site, r.frequency, r.recipients, r.locale from scheduled_reports r
     left join sites s on s.tenant_id = r.tenant_id and s.id = r.site_id where r.id = $1`,
    [payload['report_id']],
  )
  const to = report?.recipients[Number(payload['recipient'])]
  if (!report || to === undefined) return
  const { locale } = report
  const day = String(payload['day'])
  const period = reportedPeriod(report.frequency, day)
  const text = await reportText(context, tenant, report, period)
  const filename = (type: string) => `smartqueue-${period.from}-${period.to}.${type}`
  await deliver(db, {
    to,
    key: `report-${tenant.id}-${String(payload['report_id'])}-${day}-${String(payload['recipient'])}`,
    subject: `${report.name} – ${text.subtitle}`,
    text: translate(locale, 'mail.report.text', { report: report.name, period: text.subtitle }, tenant.locale),
    attachments: [
      { filename: filename('pdf'), contentType: 'application/pdf', content: await reportPdf(text, locale === 'ar') },
      {
        filename: filename('xlsx'),
        contentType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
        content: await workbook(db, tenant.id, report, period),
      },
    ],
  })
}

/** The days of the queues as a workbook. */
async function workbook(db: Database, tenantId: number, { locale, site_id }: Report, period: Period): Promise<Buffer> {
  const source = SOURCES.queue_metrics
  const file = xlsx(source.columns, { title: translate(locale, 'exports.queue_metrics'), isRtl: locale === 'ar' })
  const pieces: Uint8Array[] = []
  for await (const page of pagesOf(db.reader(tenantId, 'replica'), source, {
    ...period,
    site_id,
    queue_id: null,
    service_id: null,
  }))
    pieces.push(...file.rows(page))
  return Buffer.concat([...pieces, ...file.end()])
}

export const reportJobs: readonly Job[] = [
  // After the figures of the day before were added up.
  { name: 'analytics.due_reports', nightly: '06:10', run: dueReports },
  { name: SEND_REPORT, run: sendReport },
]

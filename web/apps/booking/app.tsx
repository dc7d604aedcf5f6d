import { BookPage } from './book.tsx'
import type { PageProps } from './data.ts'
import { MinePage } from './mine.tsx'
import { MovePage } from './move.tsx'
import { WaitingPage } from './waiting.tsx'

export function BookingApp(props: PageProps) {
  switch (props.page) {
    case 'book':
      return <BookPage {...props} />
    case 'mine':
      return <MinePage {...props} />
    case 'move':
      return <MovePage {...props} />
    case 'waiting':
      return <WaitingPage {...props} />
  }
}

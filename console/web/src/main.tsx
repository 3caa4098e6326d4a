import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { setNonce } from 'get-nonce'
import { StrictMode, Suspense, useMemo, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Redirect, Route, Router, Switch, useLocation, useSearch } from 'wouter'
import { Failure } from './api/client'
import { useInfo } from './api/queries'
import { Frame } from './frame/Frame'
import { Login } from './frame/Login'
import { base, to } from './routes'
import { Routes } from './screens'
import { Loading, Problem } from './ui/Problem'
import { prefer, preference } from './ui/preferences'
import { Clock } from './ui/Time'
import './style.css'

setNonce(document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? '')

// Screens are what someone sees who is signed in; others are sent to the login, and come
// back to where they were.
function Screens() {
  const info = useInfo()
  const [path] = useLocation()
  const search = useSearch()
  // A session that ends later leaves the screen as it is: the frame asks for a key above it.
  if (!info.data && info.error instanceof Failure && info.error.status === 401) {
    return <Redirect to={to('/login', { return_to: path + (search ? '?' + search : '') })} replace />
  }
  if (!info.data && info.error) return <main id="content"><Problem error={info.error} retry={() => void info.refetch()} /></main>
  if (!info.data) return <Loading />
  return (
    <Frame info={info.data}>
      <Suspense fallback={<Loading />}>
        <Routes />
      </Suspense>
    </Frame>
  )
}

function App() {
  const [utc, setUTC] = useState(preference('utc', false))
  const clock = useMemo(() => ({ utc, setUTC: (on: boolean) => { setUTC(on); prefer('utc', on) } }), [utc])
  const [queries] = useState(() => new QueryClient({
    defaultOptions: { queries: { retry: (count, e) => count < 3 && e instanceof Failure && (e.status === 0 || e.status === 503), refetchOnWindowFocus: true } },
  }))
  return (
    <QueryClientProvider client={queries}>
      <Clock.Provider value={clock}>
        <Router base={base}>
          <Switch>
            <Route path="/login" component={Login} />
            <Route><Screens /></Route>
          </Switch>
        </Router>
      </Clock.Provider>
    </QueryClientProvider>
  )
}

createRoot(document.getElementById('root') as HTMLElement).render(<StrictMode><App /></StrictMode>)

// The screens' paths. The server answers its page for their first segments only
// (console/console.go has the same list, which a test compares).
export const prefixes = ['', 'login', 'workflows', 'runs', 'approvals', 'schedules', 'templates', 'agents', 'secrets', 'access', 'audit', 'system'] as const

// base is where the console lives: "" at a server's root, "/prefix" behind a proxy.
export const base: string = new URL(document.baseURI).pathname.replace(/\/$/, '')

// to builds a path with parameters of the URL; empty ones are left out.
export function to(path: string, params: Record<string, string | undefined> = {}): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(params)) if (v) q.set(k, v)
  const text = q.toString()
  return text ? `${path}?${text}` : path
}

export const workflowPath = (slug: string) => `/workflows/${encodeURIComponent(slug)}`
export const runPath = (id: string) => `/runs/${encodeURIComponent(id)}`

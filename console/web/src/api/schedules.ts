// What the screens of schedules read.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { call } from './client'
import { parse, print, type Value } from './lossless'
import type { Action, Actor, WorkflowRef } from './queries'
import { to } from '../routes'

export const all = '/api/workflows/schedules'
export const one = (id: string) => `${all}/${encodeURIComponent(id)}`

export interface Schedule {
  id: string; workflow_id: string; cron_expression: string; description: string; timezone: string; version: string | null; status: string
  pause_reason: string | null; paused_by: Actor | null; paused_at: string | null; overlap_policy: string
  catch_up: { policy: string; window_seconds: number; max: number }; dst_gap: string; dst_repeat: string; jitter_seconds: number
  starts_at: string | null; ends_at: string | null; next_run_at: string | null; next_run_local: string | null; last_run_at: string | null
  created_at: string; updated_at: string; can: Action[]; workflow?: WorkflowRef
}

export interface LastSlot { due_at: string; outcome: string; reason: string | null; run_id: string | null; run_status: string | null }
export interface ListedSchedule extends Schedule { workflow: WorkflowRef; last_slot: LastSlot | null }

export interface Slot {
  due_at: string; until: string; count: number; outcome: string; reason: string | null; origin: string
  run_id: string | null; run_status: string | null; duration_seconds: number | null; decided_at: string
}

export interface DueTime { at: string; local: string; note?: string; clash?: boolean }
export interface Preview { description: string; times: DueTime[]; overlap?: { p95_seconds: number | null; runs: number; clashes: number } }

export const outcomes = ['fired', 'late', 'caught_up', 'coalesced', 'skipped', 'waiting'] as const
export type Outcome = (typeof outcomes)[number]
export interface Day { date: string; outcomes: Record<Outcome, number>; due: number }
export interface Month { days: Day[]; capped: boolean; counted_since: string | null }

export interface BackfillPreview {
  slots: number; ran: number
  due_times: { at: string; local: string; ran: boolean; outcome: string | null; run_id: string | null; run_status: string | null }[]
}

export type ScheduleFilter = Record<string, string | undefined>

export const useSchedules = (f: ScheduleFilter, limit = '50') => useQuery({
  queryKey: ['schedules', f, limit], placeholderData: keepPreviousData, refetchInterval: 5_000,
  queryFn: async ({ signal }) => (await call<{ schedules: ListedSchedule[]; next_cursor: string | null }>(to(all, { ...f, limit }), { signal })).data,
})

// useSchedule reads a schedule, its ETag, and its input as it is stored ("" for none).
export const useSchedule = (id: string) => useQuery({
  queryKey: ['schedule', id], refetchInterval: 10_000,
  queryFn: async ({ signal }) => {
    const { data, etag, text } = await call<{ schedule: Schedule }>(one(id), { signal })
    const input = (parse(text) as { schedule: { input_data: Value } }).schedule.input_data
    return { schedule: data.schedule, etag, input: input === null ? '' : print(input) }
  },
})

// ScheduledWorkflow is what a schedule's screens show of its workflow, and the schema of its input.
export interface ScheduledWorkflow extends WorkflowRef { version: number; status: string; can: Action[]; definition_hash: string; input: Value | undefined }

export const useScheduled = (ref: string | undefined) => useQuery({
  queryKey: ['scheduled', ref], enabled: Boolean(ref), staleTime: 10_000,
  queryFn: async ({ signal }) => {
    const { data, text } = await call<{ workflow: ScheduledWorkflow }>(`/api/workflows/${encodeURIComponent(ref ?? '')}`, { signal })
    return { ...data.workflow, input: (parse(text) as { workflow: { definition: { input?: Value } } }).workflow.definition.input }
  },
})

// usePreview asks for an expression's next due times; a former answer stays while it is asked.
export const usePreview = (ask: Record<string, unknown>) => useQuery({
  queryKey: ['preview', ask], placeholderData: keepPreviousData, retry: false, staleTime: 10_000,
  queryFn: async ({ signal }) => (await call<Preview>(`${all}/preview`, { method: 'POST', body: ask, signal })).data,
})

export const useDue = (id: string, ask: Record<string, string>, enabled = true) => useQuery({
  queryKey: ['due', id, ask], enabled,
  queryFn: async ({ signal }) => (await call<Preview>(to(`${one(id)}/preview`, ask), { signal })).data,
})

// useMonth counts a schedule's due times of the days from and to, both included.
export const useMonth = (id: string, from: string, until: string) => useQuery({
  queryKey: ['calendar', id, from, until], placeholderData: keepPreviousData, refetchInterval: 10_000,
  queryFn: async ({ signal }) => (await call<{ calendars: Month[] }>(to(`${all}/calendar`, { schedule: id, from, to: until }), { signal })).data.calendars[0] ?? null,
})

// useSlots reads the ledger between two times, latest first, by pages of 50.
export const useSlots = (id: string, from: string, until: string) => useInfiniteQuery({
  queryKey: ['slots', id, from, until], initialPageParam: '', refetchInterval: 10_000,
  queryFn: async ({ signal, pageParam }) => (await call<{ slots: Slot[]; next_cursor: string | null }>(
    to(`${one(id)}/slots`, { from, to: until, limit: '50', cursor: pageParam }), { signal })).data,
  getNextPageParam: (last) => last.next_cursor ?? undefined,
})

export const useBackfill = (id: string, ask: Record<string, unknown> | null) => useQuery({
  queryKey: ['backfill', id, ask], enabled: ask !== null, retry: false, placeholderData: keepPreviousData,
  queryFn: async ({ signal }) => (await call<BackfillPreview>(`${one(id)}/backfill?dry_run=true`, { method: 'POST', body: ask, signal })).data,
})

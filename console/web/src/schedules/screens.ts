// What the routes load when a screen of schedules is first opened.
export { EditSchedule, NewSchedule } from './Form'
export { ScheduleList } from './List'
export { SchedulePage } from './Page'

// Texts of the screens of templates.
export const strings = {
  title: 'Templates', category: 'Category', all: 'All', search: 'Name or description', builtin: 'built in', own: 'yours',
  none: 'No templates', noneHelp: 'Save a workflow as a template to install it again with other parameters.',
  about: 'What it does', parameters: 'Parameters', noParameters: 'It asks for nothing.',
  install: 'Install', installing: 'Install it', preview: 'Preview', previewTitle: 'The workflow that it makes',
  wholeDefinition: 'Its definition',
  name: 'Name', slug: 'Slug', slugHelp: 'It names the workflow in addresses and in the API.',
  schedule: (words: string) => `Run it on a schedule: ${words}`, scheduleHelp: (zone: string) => `A suggestion, in the zone ${zone}. It can be changed at any time.`,
  scheduleFailed: 'The workflow is installed, but its schedule could not be made.', toWorkflow: 'Go to the workflow',
  installed: 'Workflows made of it', noneInstalled: 'None yet.', behind: (v: number) => `has v${v}`,
  noFindings: 'No findings', notJSON: 'The parameters are not JSON yet.',
  // Update.
  update: 'Update from its template', from: (a: number, b: number, name: string) => `${name}: version ${a} to version ${b}`, upToDate: 'It has the newest version of its template.',
  noTemplate: 'This workflow was not made of a template.',
  changes: 'What comes', noChanges: 'Nothing changes in the definition.', conflicts: 'Both changed this', conflictsHelp: 'You and the template changed the same place differently. What you wrote stays unless you decide otherwise.',
  asInstalled: 'As installed', yours: 'Yours', theirs: "The template's", gone: 'not there',
  keep: 'Keep mine', take: 'Take theirs', own2: 'Write it', value: 'Value, JSON',
  save: 'Save as a version', saveHelp: 'It is a version that is not published: look at it, compare it, then publish it.',
  newParameters: 'The new version asks for other parameters', retry: 'Use these parameters',
  settings: 'Settings of the workflow', whole: 'the whole step',
  changed: 'Somebody changed this workflow meanwhile: what comes was read again.',
} as const

import { Component, type ReactNode } from 'react'
import { Problem } from './Problem'

// Pane is a part of a screen that may fail by itself: the others stay.
export class Pane extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown }
  static getDerivedStateFromError(error: unknown) { return { error } }
  override render() {
    if (this.state.error === null) return this.props.children
    return <Problem error={this.state.error} retry={() => this.setState({ error: null })} />
  }
}

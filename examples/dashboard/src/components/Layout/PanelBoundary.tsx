/** Confines a failure to one part of the page: the others stay, and this one can be tried again. */
import { Component, type ReactNode } from "react";
import { Icon } from "./Icon";
import { Panel } from "./Panel";

interface PanelBoundaryProps {
  title: string;
  className?: string;
  children: ReactNode;
}

interface PanelBoundaryState {
  /** What was thrown may be anything, also null. */
  failure: { error: unknown } | null;
}

export class PanelBoundary extends Component<PanelBoundaryProps, PanelBoundaryState> {
  override state: PanelBoundaryState = { failure: null };

  static getDerivedStateFromError(error: unknown): PanelBoundaryState {
    return { failure: { error } };
  }

  override render() {
    const { title, className = "", children } = this.props;
    const { failure } = this.state;
    if (failure === null) {
      return children;
    }
    return (
      <Panel title={title} className={className}>
        <div className="failure" role="alert">
          <Icon name="warning" />
          <span>This part of the page has failed: {describe(failure.error)}</span>
          <button type="button" className="button small" onClick={() => this.setState({ failure: null })}>
            Try again
          </button>
        </div>
      </Panel>
    );
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { useState } from 'preact/hooks';
import type { Metric, ModelRange } from '../api/contract.ts';
import { isMonitored } from '../model/describe.ts';
import { parseRange } from '../model/model-range.ts';
import { Dialog } from '../widgets/dialog.tsx';

interface ActionsProperties {
  readonly metric: Metric;
  readonly onMonitor: (range: ModelRange | null) => Promise<void>;
  readonly onStop: () => Promise<void>;
}

/** What may be done with a metric, each with a question first. */
export function Actions({ metric, onMonitor, onStop }: ActionsProperties) {
  const [asking, setAsking] = useState<'monitor' | 'stop' | null>(null);
  const close = () => setAsking(null);
  return (
    <div class="actions">
      {isMonitored(metric) ? (
        <button type="button" onClick={() => setAsking('stop')}>
          Stop monitoring…
        </button>
      ) : (
        <button type="button" class="primary" onClick={() => setAsking('monitor')}>
          Monitor…
        </button>
      )}
      {asking === 'stop' && (
        <Dialog
          title={`Stop monitoring ${metric.name}?`}
          action="Stop monitoring"
          danger
          onConfirm={onStop}
          onClose={close}
        >
          <p>
            The model and its scores are removed. The rows stay and go on being stored; monitoring again
            learns from the first of them.
          </p>
        </Dialog>
      )}
      {asking === 'monitor' && <MonitorDialog metric={metric} onMonitor={onMonitor} onClose={close} />}
    </div>
  );
}

interface MonitorDialogProperties extends Pick<ActionsProperties, 'metric' | 'onMonitor'> {
  readonly onClose: () => void;
}

function MonitorDialog({ metric, onMonitor, onClose }: MonitorDialogProperties) {
  const [min, setMin] = useState('');
  const [max, setMax] = useState('');
  const field = (label: string, text: string, set: (text: string) => void) => (
    <label>
      {label}
      <input
        type="text"
        inputMode="decimal"
        placeholder="from the data"
        value={text}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    </label>
  );
  return (
    <Dialog
      title={`Monitor ${metric.name}`}
      action="Monitor"
      onConfirm={async () => onMonitor(parseRange(min, max))}
      onClose={onClose}
    >
      <p>
        A model learns what is usual, from the first stored row on. Without a range it takes that of the data
        once there are enough rows.
      </p>
      <div class="fields">
        {field('Lowest usual value', min, setMin)}
        {field('Highest usual value', max, setMax)}
      </div>
    </Dialog>
  );
}

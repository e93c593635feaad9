import { useState } from 'preact/hooks';

interface DropZoneProperties {
  /** There is a file already: it takes less room. */
  readonly small: boolean;
  readonly onFile: (file: File) => void;
}

/** Takes a file, dropped or chosen. */
export function DropZone({ small, onFile }: DropZoneProperties) {
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file !== undefined) onFile(file);
  };
  return (
    <section
      class={`drop${small ? ' small' : ''}${over ? ' over' : ''}`}
      aria-label="File"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <label>
        {small ? 'Another CSV file' : 'Drop a CSV file here, or choose one'}
        <input
          type="file"
          accept=".csv,text/csv,text/plain"
          onChange={({ currentTarget }) => take(currentTarget.files)}
        />
      </label>
      {!small && (
        <p class="muted">
          With a line of titles, a column for the time (epoch seconds, or as in 2026-01-31 12:00:00) and one
          for the value. The engine’s own model runs over it in this browser; the file is sent nowhere.
        </p>
      )}
    </section>
  );
}

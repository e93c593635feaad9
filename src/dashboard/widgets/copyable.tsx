import { useRef, useState } from 'preact/hooks';

/** A command with a button that copies it. */
export function Copyable({ text }: { readonly text: string }) {
  const code = useRef<HTMLElement>(null);
  const [said, setSaid] = useState('Copy');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      // No leave to use the clipboard (a page not from this machine, without TLS): select it for the person.
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      setSaid('Press Ctrl+C');
    }
  };
  return (
    <div class="copyable">
      <pre tabIndex={0} aria-label="Command">
        <code ref={code}>{text}</code>
      </pre>
      <button type="button" onClick={() => void copy()}>
        <span role="status">{said}</span>
      </button>
    </div>
  );
}

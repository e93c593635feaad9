/* global document, window */
// Finds sections that have all words that were typed; those in headings count more. The index is a list of
// [address, title of the page, heading, text].
(() => {
  const SHOWN = 12;
  const AROUND = 60;
  const root = document.currentScript.dataset.root;
  const input = document.querySelector('.search input');
  const list = document.querySelector('.search ol');

  // On a phone the list of documents would stand before each of them.
  if (window.matchMedia('(max-width: 48rem)').matches) document.querySelector('nav details').open = false;

  function find(words) {
    const found = [];
    for (const [address, title, heading, text] of window.SEARCH_INDEX ?? []) {
      const head = `${title} ${heading}`.toLowerCase();
      const body = text.toLowerCase();
      let score = 0;
      for (const word of words) {
        const points = (head.includes(word) ? 10 : 0) + (body.includes(word) ? 1 : 0);
        if (points === 0) {
          score = 0;
          break;
        }
        score += points;
      }
      if (score > 0) found.push({ score, address, title, heading, text });
    }
    return found.sort((a, b) => b.score - a.score).slice(0, SHOWN);
  }

  function excerpt(text, word) {
    const at = Math.max(0, text.toLowerCase().indexOf(word));
    const begin = Math.max(0, at - AROUND);
    return `${begin > 0 ? '…' : ''}${text.slice(begin, at + 2 * AROUND)}${at + 2 * AROUND < text.length ? '…' : ''}`;
  }

  function show() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.hidden = words.length === 0;
    list.replaceChildren();
    if (words.length === 0) return;
    const found = find(words);
    for (const { address, title, heading, text } of found) {
      const link = document.createElement('a');
      link.href = root + address;
      link.textContent = heading === title ? title : `${title}: ${heading}`;
      const small = document.createElement('small');
      small.textContent = excerpt(text, words[0]);
      link.append(small);
      const item = document.createElement('li');
      item.append(link);
      list.append(item);
    }
    if (found.length === 0) {
      const item = document.createElement('li');
      item.className = 'none';
      item.textContent = 'Nothing has all these words.';
      list.append(item);
    }
  }

  // The index is larger than any page: it comes when somebody is about to search.
  function loadIndex() {
    const script = document.createElement('script');
    script.src = `${root}search-index.js`;
    script.addEventListener('load', show);
    document.head.append(script);
  }

  input.addEventListener('focus', loadIndex, { once: true });
  input.addEventListener('input', show);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== input) {
      event.preventDefault();
      input.focus();
    }
    if (event.key === 'Escape') list.hidden = true;
    if (event.key === 'Enter' && document.activeElement === input) list.querySelector('a')?.click();
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest('.search')) list.hidden = true;
    else if (event.target.closest('li a')) list.hidden = true;
  });
})();

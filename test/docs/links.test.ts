import { expect, it } from 'vitest';
import { linkProblems } from '../../scripts/site/links.ts';
import { parsePage } from '../../scripts/site/page-text.ts';
import { readPages } from '../../scripts/site/repository.ts';

it('every link of the documents leads somewhere, and the index lists every document', () => {
  const pages = readPages();
  expect(pages.size).toBeGreaterThan(40);
  expect(linkProblems(pages)).toEqual([]);
});

it('dead links, dead anchors and documents that nobody lists are found', () => {
  const pages = readPages();
  pages.set(
    'docs/lost.md',
    parsePage(
      'docs/lost.md',
      '# A `Lost` page\n\n[a](none.md) [b](#none) [c](#a-lost-page) ![d](images/none.png)\n',
    ),
  );
  expect(linkProblems(pages)).toEqual([
    'docs/lost.md: none.md leads nowhere',
    'docs/lost.md: #none: docs/lost.md has no such heading',
    'docs/lost.md: images/none.png leads nowhere',
    'docs/index.md: docs/lost.md is not listed',
  ]);
});

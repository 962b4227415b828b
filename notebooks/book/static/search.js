// What a search shows of a page: its sentences, without the page's list of contents and its title.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return; // only the page of the search has it
  const textOf = Search.htmlToText;
  Search.htmlToText = (source, anchor) => {
    const page = new DOMParser().parseFromString(source, "text/html");
    const around = page.querySelectorAll("#jb-print-docs-body, .bd-header-article, h1");
    around.forEach((part) => part.remove());
    return textOf(page.documentElement.outerHTML, anchor).replace(/\s+/g, " ").trim();
  };
});

// The options of a question that an answer follows become buttons. The right one opens the answer.
for (const answer of document.querySelectorAll(".bd-article details")) {
  const options = answer.previousElementSibling;
  const right = answer.querySelector("strong")?.textContent; // "b)"
  if (options?.tagName !== "UL" || !right) continue;
  options.classList.add("quiz");
  for (const option of options.children) {
    const button = document.createElement("button");
    const text = option.querySelector("p") ?? option;
    const isRight = text.textContent.trim().startsWith(right);
    button.append(...text.childNodes);
    text.append(button);
    text.setAttribute("aria-live", "polite"); // the mark is read out
    const judge = () => {
      button.classList.add(isRight ? "right" : "wrong");
      button.append(isRight ? " ✓ right" : " ✗ not this one");
      if (isRight) answer.open = true;
    };
    button.addEventListener("click", judge, { once: true });
  }
}

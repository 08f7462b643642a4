.PHONY: up test check lock

UV ?= $(shell test -x .venv/bin/uv && echo .venv/bin/uv || echo uv)

up:
	python3 manage.py up

test:
	python3 manage.py test

check:
	bash .ci/run checks

# Pinned and hashed for every supported Python; the tests' lock agrees with the product's.
lock:
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -c requirements.txt tests/requirements.in -o tests/requirements.txt
